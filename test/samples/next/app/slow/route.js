export const dynamic = 'force-dynamic';

export async function GET() {
  await new Promise(resolve => setTimeout(resolve, 700));
  return new Response('whole');
}
